"""The commands, one module each. Their heavy imports wait inside the functions, so that `argoos --help` is quick."""
