"""What is read of a vCenter: its inventory, and the sites that templates stand on, as values."""
