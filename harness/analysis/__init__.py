"""Why samplers differ: what a retriever's candidates, draws and gradients look like."""
