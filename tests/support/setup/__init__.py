"""An empty project and what a setup meets there: programs, pages and a person."""
