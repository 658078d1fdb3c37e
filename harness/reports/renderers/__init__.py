"""How a document is written, a module for each way."""
