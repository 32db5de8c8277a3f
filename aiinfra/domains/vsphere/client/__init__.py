"""How a vCenter is spoken to: sessions, SOAP, properties, tasks, and errors in the place of its faults."""
