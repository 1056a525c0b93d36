"""Readings over time become events: changes, occlusion, and digits fused over frames."""
