"""How fast it is, always beside something: a floor, a peer or a limit of the same run."""
