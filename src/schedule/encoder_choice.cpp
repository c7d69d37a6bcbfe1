#include "atelier/schedule/encoder_choice.h"

#include <tuple>

#include "atelier/schedule/policy.h"

namespace atelier::schedule {

int EncoderChoice::State::room() const {
  const int most = behind ? encoder.num_encoders : credits_with_encoders(encoder.num_encoders);
  return most - num_chosen;
}

int EncoderChoice::choose(int worker) {
  State& own = ranks_.at(worker);
  auto best = ranks_.end();
  if (own.room() <= 0) {
    const auto merit = [&own](const State& state) {
      return std::tuple(state.encoder.host == own.encoder.host, state.room());
    };
    for (auto it = ranks_.begin(); it != ranks_.end(); ++it) {
      const State& state = it->second;
      if (!state.encoder.helper || state.room() <= 0) continue;
      if (best == ranks_.end() || merit(state) > merit(best->second)) best = it;
    }
  }
  if (best == ranks_.end()) best = ranks_.find(worker);
  ++best->second.num_chosen;
  return best->first;
}

void EncoderChoice::styled(int worker, int encoder) {
  ++ranks_.at(worker).num_styled;
  State& at = ranks_.at(encoder);
  if (!at.encoder.helper) at.styled_before.push_back(at.num_styled);
}

void EncoderChoice::encoded(int encoder) {
  State& state = ranks_.at(encoder);
  --state.num_chosen;
  if (state.styled_before.empty()) return;
  state.behind = state.num_styled - state.styled_before.front() >= state.encoder.num_encoders;
  state.styled_before.pop_front();
}

}  // namespace atelier::schedule
