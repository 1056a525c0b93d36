"""Makes events of readings over time: averages digits over frames, and ignores hands that cover the page."""
