// Divides $each by its L2 norm, if it is not all 0.
void Normalise(float* values) {
  for (int i = 0; i < $lines; ++i) {
    float sum = 0.0f;
    for (int j = 0; j < $length; ++j) {
      sum += values[$place] * values[$place];
    }
    const float norm = sum > 0.0f ? std::sqrt(sum) : 1.0f;
    for (int j = 0; j < $length; ++j) {
      values[$place] /= norm;
    }
  }
}

