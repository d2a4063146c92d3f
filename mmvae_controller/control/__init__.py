"""From observation to safe command: window, policy step, command gate, watchdog."""
