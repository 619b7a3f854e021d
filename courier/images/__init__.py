"""Operations on images, and what carries them out within limits. It knows no terminal."""
