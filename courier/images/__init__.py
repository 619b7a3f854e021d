"""Operations on images, carried out within limits. Knows no terminal."""
