"""VM templates with GPUs: from what is wanted to what is made, proved and removed."""
