"""What training takes before it is begun: memory, from settings alone."""
