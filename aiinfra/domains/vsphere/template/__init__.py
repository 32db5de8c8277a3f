"""VM templates with GPUs: from a spec to what is made, proved and removed."""
