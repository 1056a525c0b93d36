// Makes the input from a glyph of kSide x kSide pixels.
void FillInput(const std::uint8_t* glyph, std::int8_t* input) {
  $image
  for (int i = 0; i < kPixels; ++i) {
    std::fill_n(input + kInputChannels * i, kInputChannels, kInputValues[image[$pixel]]);
  }
}

