"""Operations on images, within limits. Knows no terminal."""
