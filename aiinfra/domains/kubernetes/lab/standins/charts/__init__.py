"""What the charts that we use would make, built from their values. Pure."""
