#include "atelier/io/segment_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"
#include "work_directory_names.h"

namespace atelier::io {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_file_bytes = std::size_t{64} << 30;
constexpr int max_attempts = 1000;

FoundSegment found_from(const StoredSegment& stored) {
  return {stored.chunk(), stored.input_hash, stored.last_pts_ticks(), stored.reader_state, stored.processor};
}

ParsedSegment refuse(SegmentFault fault, std::string reason) {
  return {std::nullopt, {fault, std::move(reason)}};
}

std::string fingerprint_digits(Hash128 fingerprint) {
  return hex64(fingerprint.high);
}

}  // namespace

const char* fault_text(SegmentFault fault) {
  switch (fault) {
    case SegmentFault::not_a_segment:
      return "no segment";
    case SegmentFault::other_version:
      return "of another version";
    case SegmentFault::cut:
      return "cut";
    case SegmentFault::damaged:
      return "damaged";
    case SegmentFault::other_settings:
      return "of other settings";
    case SegmentFault::misnamed:
      return "misnamed";
    case SegmentFault::duplicate:
      return "spare";
    case SegmentFault::unreadable:
      return "unreadable";
    case SegmentFault::unreachable:
      return "unreachable";
  }
  return "unknown";
}

std::string summary(const std::vector<PassedOver>& passed_over) {
  if (passed_over.empty()) return {};
  std::map<SegmentFault, int> counts;
  for (const PassedOver& file : passed_over) ++counts[file.problem.fault];
  std::vector<std::string> parts;
  for (const auto& [fault, count] : counts) parts.push_back(concat(count, " ", fault_text(fault)));
  return concat("passed over ", passed_over.size(),
                passed_over.size() == 1 ? " stored file: " : " stored files: ", join(parts, ", "));
}

SegmentStore::SegmentStore(const fs::path& work_dir, Hash128 fingerprint, std::string start_id,
                           FileOperations& files)
    : folder_(work_dir / segments_folder),
      fingerprint_(fingerprint),
      start_id_(std::move(start_id)),
      files_(files) {
  if (!is_start_id(start_id_)) throw JobError(concat("'", start_id_, "' is no start id"));
  const int failed = with_retries(files_, [&] { return files_.make_folder(folder_); });
  if (failed != 0 && failed != EEXIST) throw_store_error(folder_, failed);
}

std::string SegmentStore::file_name(std::int64_t chunk_index, int attempt) const {
  return segment_name(chunk_index, fingerprint_digits(fingerprint_), start_id_, attempt);
}

bool SegmentStore::knows(const std::string& file_name, std::int64_t chunk_index) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(chunk_index);
  return known != known_.end() && std::ranges::count(known->second.file_names, file_name) > 0;
}

void SegmentStore::remember(const std::string& file_name, FoundSegment found) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[found.chunk.index];
  if (std::ranges::count(known.file_names, file_name) > 0) return;
  known.file_names.push_back(file_name);
  if (known.file_names.size() == 1) known.found = std::move(found);
}

void SegmentStore::put(const StoredSegment& stored) {
  if (stored.fingerprint != fingerprint_)
    throw JobError(concat("cannot store chunk ", stored.segment.chunk_index), "it is of other settings");
  const Buffer bytes = serialise_segment(stored);
  std::string name;
  int attempt = 0;
  const int failed = with_retries(files_, [&] {
    int result = EEXIST;
    while (result == EEXIST && attempt < max_attempts) {
      name = file_name(stored.segment.chunk_index, ++attempt);
      result = files_.create(folder_ / name, bytes.bytes());
    }
    // What is left of a failed try takes room, and its name is not used again.
    if (result != 0 && result != EEXIST) static_cast<void>(files_.remove(folder_ / name));
    return result;
  });
  if (failed != 0) throw_store_error(folder_ / name, failed);

  remember(name, found_from(stored));
}

ParsedSegment SegmentStore::load(const std::string& file_name, std::int64_t chunk_index) {
  Buffer bytes;
  const fs::path path = folder_ / file_name;
  const int failed = with_retries(files_, [&] { return files_.read(path, max_file_bytes, bytes); });
  if (failed != 0)
    return refuse(may_pass(failed) ? SegmentFault::unreachable : SegmentFault::unreadable,
                  errno_text(failed));
  ParsedSegment parsed = parse_segment(bytes.bytes());
  if (!parsed.segment) return parsed;
  const StoredSegment& stored = *parsed.segment;
  if (stored.segment.chunk_index != chunk_index)
    return refuse(SegmentFault::misnamed,
                  concat("its name says chunk ", chunk_index, ", it holds ", stored.segment.chunk_index));
  if (stored.fingerprint != fingerprint_) {
    const bool same_digits = stored.fingerprint.high == fingerprint_.high;
    return refuse(same_digits ? SegmentFault::other_settings : SegmentFault::misnamed,
                  concat("it holds fingerprint ", hex128(stored.fingerprint)));
  }
  return parsed;
}

FoundSegments SegmentStore::find() {
  std::vector<std::string> names;
  const int failed = with_retries(files_, [&] { return files_.list(folder_, names); });
  if (failed != 0)
    throw JobError(concat("cannot list '", folder_.string(), "'"),
                   failed == ENOENT ? "the work directory is gone" : errno_text(failed),
                   failed == ENOENT
                       ? "Run the same command again"
                       : write_error_advice(failed, "--work-dir", "Choose another with --work-dir"));

  FoundSegments all;
  const std::string digits = fingerprint_digits(fingerprint_);
  for (const std::string& name : names) {
    const std::optional<SegmentName> parts = parse_segment_name(name);
    if (!parts) {
      all.passed_over.push_back({name, {SegmentFault::not_a_segment, "its name is not that of a segment"}});
      continue;
    }
    if (parts->fingerprint_digits != digits) {
      all.passed_over.push_back({name, {SegmentFault::other_settings, "its fingerprint is another"}});
      continue;
    }
    if (knows(name, parts->chunk_index)) continue;
    ParsedSegment parsed = load(name, parts->chunk_index);
    if (!parsed.segment && parsed.problem.fault == SegmentFault::unreachable)
      throw_load_error(folder_ / name, parsed.problem.reason);
    if (!parsed.segment) {
      all.passed_over.push_back({name, std::move(parsed.problem)});
      continue;
    }
    remember(name, found_from(*parsed.segment));
  }

  const std::lock_guard lock(mutex_);
  for (const auto& [chunk_index, known] : known_) {
    all.chunks.emplace(chunk_index, known.found);
    for (std::size_t i = 1; i < known.file_names.size(); ++i)
      all.passed_over.push_back(
          {known.file_names[i], {SegmentFault::duplicate, concat("as good as ", known.file_names[0])}});
  }
  return all;
}

StoredSegment SegmentStore::read(std::int64_t chunk_index) {
  std::string problem = "it was never stored";
  for (;;) {
    std::string name;
    {
      const std::lock_guard lock(mutex_);
      const auto known = known_.find(chunk_index);
      if (known == known_.end()) break;
      name = known->second.file_names.front();
    }
    ParsedSegment parsed = load(name, chunk_index);
    if (parsed.segment) return std::move(*parsed.segment);
    problem = concat(name, ": ", parsed.problem.reason);
    const std::lock_guard lock(mutex_);
    Known& known = known_[chunk_index];
    std::erase(known.file_names, name);
    if (!known.file_names.empty()) continue;
    known_.erase(chunk_index);
    if (parsed.problem.fault == SegmentFault::unreachable)
      throw_load_error(folder_ / name, parsed.problem.reason);
  }
  throw JobError(concat("chunk ", chunk_index, " can no longer be read from '", folder_.string(), "'"),
                 problem, "Run the same command again: the chunk is then made anew");
}

}  // namespace atelier::io
