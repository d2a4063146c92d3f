"""Studies: published experiments, trained and judged again from one YAML each."""
