"""Generate pages of handwriting as a camera sees them, with the truth of each pixel of ink."""

from convert.samples.scenes.generate import Page, generate_page
from convert.samples.scenes.writers import Writers

__all__ = ["Page", "Writers", "generate_page"]
