"""The report of costs: seconds of training, published and reproduced."""
