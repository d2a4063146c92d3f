"""Which sense matters how much: measures, sensor health, tables and figures."""
