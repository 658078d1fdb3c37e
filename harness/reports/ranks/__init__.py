"""The report of kind ranks: gradients at each rank of the negatives."""
