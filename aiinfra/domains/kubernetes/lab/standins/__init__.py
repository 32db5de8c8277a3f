"""What answers in place of the outside world: providers under the names that programs use."""
