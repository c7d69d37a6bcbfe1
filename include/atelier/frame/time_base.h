#pragma once

namespace atelier {

/// A fraction; den is above 0 where the value is known.
struct Rational {
  int num = 0;
  int den = 1;

  [[nodiscard]] double value() const { return den == 0 ? 0.0 : static_cast<double>(num) / den; }
  bool operator==(const Rational&) const = default;
};

/// Seconds per tick.
using TimeBase = Rational;

}  // namespace atelier
