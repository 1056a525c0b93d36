// Subtracts the image's mean and divides by its standard deviation, which is at least 1 / sqrt(kPixels).
void Normalise(float* values) {
  float mean = 0.0f;
  for (int i = 0; i < kPixels; ++i) {
    mean += values[i] / kPixels;
  }
  float variance = 0.0f;
  for (int i = 0; i < kPixels; ++i) {
    variance += (values[i] - mean) * (values[i] - mean) / kPixels;
  }
  const float deviation = std::sqrt(std::max(variance, 1.0f / kPixels));
  for (int i = 0; i < kPixels; ++i) {
    values[i] = (values[i] - mean) / deviation;
  }
}

