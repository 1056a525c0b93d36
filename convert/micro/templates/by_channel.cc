// Makes the input from a glyph of kSide x kSide pixels: each channel minus its mean, divided by its deviation.
void FillInput(const std::uint8_t* glyph, std::int8_t* input) {
  const float means[] = {$means};
  const float deviations[] = {$deviations};
  $image
  for (int i = 0; i < kPixels; ++i) {
    const float value = kPaper + (kInk - kPaper) * static_cast<float>(image[$pixel]) / 255.0f;
    for (int channel = 0; channel < kInputChannels; ++channel) {
      const float real = (value - means[channel]) / deviations[channel];
      const long quantised = std::lrint(real / kInputScale) + kInputZeroPoint;
      const long clipped = std::min(127L, std::max(-128L, quantised));
      input[kInputChannels * i + channel] = static_cast<std::int8_t>(clipped);
    }
  }
}

