"""Mean and variance of the gradients of negatives by their rank (SimANS, section 3.1 and figure 1)."""
