"""Tables of the domain, with their sources. No logic, no imports of ours."""
