#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/io/live_status.h"
#include "sealed_json.h"

namespace atelier::io {
namespace {

bool is_same(const ProcessIdentity& a, const ProcessIdentity& b) {
  return a.shares_processes_with(b) && a.pid == b.pid && a.start_ticks == b.start_ticks;
}

}  // namespace

LiveStatusFile::LiveStatusFile(std::filesystem::path path, ProcessIdentity self, FileOperations& files,
                               std::function<bool(const ProcessIdentity&)> runs)
    : path_(std::move(path)), self_(std::move(self)), files_(files), runs_(std::move(runs)) {}

bool LiveStatusFile::is_free() {
  Buffer bytes;
  const int failed = files_.read(path_, max_json_bytes, bytes);
  if (failed == ENOENT) return true;
  if (failed != 0) return false;
  const ParsedLiveStatus parsed = parse_live_status(bytes.bytes());
  if (!parsed.status) return false;  // perhaps half-written
  const ProcessIdentity& other = parsed.status->process;
  if (has_ended(parsed.status->state) || is_same(other, self_)) return true;
  return other.shares_processes_with(self_) && !runs_(other);
}

bool LiveStatusFile::is_foreign() {
  Buffer bytes;
  const int failed = files_.read(path_, max_json_bytes, bytes);
  if (failed == EFBIG || failed == EISDIR || failed == EINVAL) return true;
  return failed == 0 && !begins_like_live_status(bytes.bytes());
}

std::string LiveStatusFile::write(LiveStatus status) {
  status.process = self_;
  status.sequence = ++sequence_;
  status.updated = utc_text(wall_clock_s());
  const int failed = files_.replace(path_, serialise_live_status(status).bytes());
  if (failed == 0) return {};
  if (may_pass(failed)) static_cast<void>(files_.remove(path_));
  return errno_text(failed);
}

void LiveStatusFile::remove() {
  Buffer bytes;
  if (files_.read(path_, max_json_bytes, bytes) != 0) return;
  const ParsedLiveStatus parsed = parse_live_status(bytes.bytes());
  if (parsed.status && is_same(parsed.status->process, self_)) static_cast<void>(files_.remove(path_));
}

}  // namespace atelier::io
