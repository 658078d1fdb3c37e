"""What `harness.load` returns: a run, its encoder and its retriever."""
