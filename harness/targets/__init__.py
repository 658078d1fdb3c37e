"""From a spec to its table: plan, reproduce, verify, mirror."""
