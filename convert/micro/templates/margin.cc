// Puts the glyph in the middle of empty paper of the input's size; what does not fit is cut off.
void Fit(const std::uint8_t* glyph, std::uint8_t* image) {
  for (int i = 0; i < kPixels; ++i) {
    const int y = i / kInputWidth + (kSide - kInputHeight) / 2;
    const int x = i % kInputWidth + (kSide - kInputWidth) / 2;
    image[i] = y >= 0 && y < kSide && x >= 0 && x < kSide ? glyph[kSide * y + x] : 0;
  }
}

