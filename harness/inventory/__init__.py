"""What lies in a store: its runs, what they were made from and stand on, what may go."""
