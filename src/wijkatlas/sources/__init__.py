"""One module a source: fetch (the only code that touches the network) and parse (pure)."""
