"""The report of costs: seconds that training takes, published beside reproduced."""
