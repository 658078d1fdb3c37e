"""Methods: what samplers, losses, recipes and encoders are made of, read off their classes."""
