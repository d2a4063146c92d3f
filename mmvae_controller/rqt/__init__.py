"""What an operator sees in rqt: which sense steers, and which one cannot be trusted."""
