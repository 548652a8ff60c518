"""Everything that touches the outside, one package per neighbour; each implements Protocols of `shared.ports`."""
