"""Generate training samples: varied and photographed digits, generated handwriting, and marks that are not digits."""
