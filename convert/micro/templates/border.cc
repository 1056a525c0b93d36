// Cuts the margin off, so that the ink reaches the border of the input$kept.
void Fit(const std::uint8_t* glyph, std::uint8_t* image) {
  int left = kSide, right = -1, top = kSide, bottom = -1;
  for (int i = 0; i < kSide * kSide; ++i) {
    if (glyph[i] > 0) {
      left = std::min(left, i % kSide);
      right = std::max(right, i % kSide);
      top = std::min(top, i / kSide);
      bottom = i / kSide;
    }
  }
  if (right < 0) {
    std::fill(image, image + kPixels, 0);
    return;
  }
  const int tall = bottom - top + 1;
  const int wide = right - left + 1;
  $sides
  static std::uint8_t ink[$most_ink];
  std::fill(ink, ink + rows * columns, 0);
  for (int y = 0; y < tall; ++y) {
    for (int x = 0; x < wide; ++x) {
      ink[((rows - tall) / 2 + y) * columns + (columns - wide) / 2 + x] = glyph[kSide * (top + y) + left + x];
    }
  }
  Scale(ink, rows, columns, image);
}

