"""What ESXi hosts offer to VMs with GPUs, and what is changed on them."""
