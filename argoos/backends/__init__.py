"""The orchestrators: one module or folder each, all behind `argoos.ports.Backend`; `argoos.app` picks them."""
