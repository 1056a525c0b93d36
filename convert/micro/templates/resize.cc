void Fit(const std::uint8_t* glyph, std::uint8_t* image) { Scale(glyph, kSide, kSide, image); }

