"""What stands in for cert-manager in a lab: its objects, whose pods run and issue nothing."""
