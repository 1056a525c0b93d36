// Makes the input from a glyph of kSide x kSide pixels.
void FillInput(const std::uint8_t* glyph, std::int8_t* input) {
  $image
  static float values[kPixels];
  for (int i = 0; i < kPixels; ++i) {
    values[i] = kPaper + (kInk - kPaper) * static_cast<float>(image[$pixel]) / 255.0f;
  }
  Normalise(values);
  for (int i = 0; i < kPixels; ++i) {
    const long quantised = std::lrint(values[i] / kInputScale) + kInputZeroPoint;
    const long clipped = std::min(127L, std::max(-128L, quantised));
    std::fill_n(input + kInputChannels * i, kInputChannels, static_cast<std::int8_t>(clipped));
  }
}

