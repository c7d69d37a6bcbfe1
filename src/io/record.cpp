#include "atelier/io/record.h"

#include <algorithm>
#include <set>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "hdf5_handle.h"
#include "record_tables.h"

namespace atelier::io {
namespace {

constexpr const char* format_name = "atelier record";
constexpr std::int32_t format_version = 1;

// ---- types

Hdf5Handle text_type() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
  check(H5Tset_size(type.get(), H5T_VARIABLE), "H5Tset_size");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

enum class Where { memory, file };

hid_t number_type(ColumnKind kind, Where where) {
  const bool file = where == Where::file;
  switch (kind) {
    case ColumnKind::int32:
      return file ? H5T_STD_I32LE : H5T_NATIVE_INT32;
    case ColumnKind::int64:
      return file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    case ColumnKind::float32:
      return file ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT;
    default:
      return file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
  }
}

Hdf5Handle row_type(const Table& table, Where where) {
  Hdf5Handle type(H5Tcreate(H5T_COMPOUND, table.row_bytes), H5Tclose, "H5Tcreate");
  const Hdf5Handle text = text_type();
  for (const Column& column : table.columns) {
    const hid_t member = column.kind == ColumnKind::text ? text.get() : number_type(column.kind, where);
    check(H5Tinsert(type.get(), column.name, column.offset_bytes, member), "H5Tinsert");
  }
  if (where == Where::file) check(H5Tpack(type.get()), "H5Tpack");
  return type;
}

// ---- writing

void write_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
  const Hdf5Handle scalar(H5Screate(H5S_SCALAR), H5Sclose, "H5Screate");
  const Hdf5Handle attribute(H5Acreate2(object, name.c_str(), type, scalar.get(), H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose, "H5Acreate2");
  check(H5Awrite(attribute.get(), type, value), "H5Awrite");
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const Hdf5Handle type = text_type();
  const char* text = value.c_str();
  write_attribute(object, name, type.get(), &text);
}

void write_attribute(hid_t object, const std::string& name, double value) {
  write_attribute(object, name, H5T_NATIVE_DOUBLE, &value);
}

/// rows: num_rows of table.row_bytes.
void write_table(hid_t file, const Table& table, const void* rows, std::size_t num_rows) {
  constexpr hsize_t max_chunk_rows = 4096;
  const hsize_t length = num_rows;
  const hsize_t unlimited = H5S_UNLIMITED;
  const hsize_t chunk_rows = std::clamp<hsize_t>(length, 1, max_chunk_rows);
  const Hdf5Handle space(H5Screate_simple(1, &length, &unlimited), H5Sclose, "H5Screate_simple");
  const Hdf5Handle layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "H5Pcreate");
  check(H5Pset_chunk(layout.get(), 1, &chunk_rows), "H5Pset_chunk");
  check(H5Pset_obj_track_times(layout.get(), false), "H5Pset_obj_track_times");
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
    check(H5Pset_shuffle(layout.get()), "H5Pset_shuffle");
    check(H5Pset_deflate(layout.get(), 4), "H5Pset_deflate");
  }
  const Hdf5Handle in_file = row_type(table, Where::file);
  const Hdf5Handle in_memory = row_type(table, Where::memory);
  const Hdf5Handle dataset(
      H5Dcreate2(file, table.name, in_file.get(), space.get(), H5P_DEFAULT, layout.get(), H5P_DEFAULT),
      H5Dclose, "H5Dcreate2");
  if (num_rows > 0) {
    check(H5Dwrite(dataset.get(), in_memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows), "H5Dwrite");
  }
  write_attribute(dataset.get(), "description", table.description);
  for (const Column& column : table.columns) {
    if (column.units[0] != '\0') write_attribute(dataset.get(), concat(column.name, ".units"), column.units);
  }
}

/// The same name twice becomes name, name.2, name.3 …
void write_job(hid_t file, const JobRecord& record) {
  const Hdf5Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "H5Pcreate");
  check(H5Pset_attr_creation_order(properties.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
        "H5Pset_attr_creation_order");
  check(H5Pset_obj_track_times(properties.get(), false), "H5Pset_obj_track_times");
  const Hdf5Handle job(H5Gcreate2(file, "job", H5P_DEFAULT, properties.get(), H5P_DEFAULT), H5Gclose,
                       "H5Gcreate2");
  write_attribute(job.get(), "wall_s", record.wall_s);
  write_attribute(job.get(), "startup_s", record.startup_s);
  write_attribute(job.get(), "start_time_s", record.start_time_s);
  std::set<std::string> names{"wall_s", "startup_s", "start_time_s"};
  for (const auto& [name, value] : record.job) {
    std::string unique = name.empty() ? "unnamed" : name;
    for (int i = 2; !names.insert(unique).second; ++i) unique = concat(name, ".", i);
    write_attribute(job.get(), unique, value);
  }
}

void write_tables(hid_t file, const JobRecord& record) {
  std::vector<PlainRankRow> ranks;
  for (const RankRow& row : record.ranks) {
    ranks.push_back({row.rank, row.role.c_str(), row.host.c_str(), row.device.c_str(), row.num_threads,
                     row.start_s, row.end_s, row.busy_s, row.num_frames, row.peak_memory_bytes, row.cpu_s,
                     row.message_cpu_s, row.bytes_sent, row.bytes_received, row.bytes_between_machines,
                     row.num_encoders});
  }
  std::vector<PlainEventRow> events;
  for (const EventRow& row : record.events) {
    events.push_back({row.time_s, row.rank, row.kind.c_str(), row.text.c_str()});
  }
  write_table(file, ranks_table(), ranks.data(), ranks.size());
  write_table(file, chunks_table(), record.chunks.data(), record.chunks.size());
  write_table(file, frames_table(), record.frames.data(), record.frames.size());
  write_table(file, events_table(), events.data(), events.size());
}

/// The bytes of the file, which never touches the disk.
std::vector<std::byte> file_image(const JobRecord& record) {
  constexpr std::size_t growth_bytes = std::size_t{1} << 20;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
  check(H5Pset_fapl_core(access.get(), growth_bytes, false), "H5Pset_fapl_core");
  const Hdf5Handle file(H5Fcreate("record in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose,
                        "H5Fcreate");
  write_attribute(file.get(), "format", format_name);
  write_attribute(file.get(), "format_version", H5T_NATIVE_INT32, &format_version);
  write_job(file.get(), record);
  write_tables(file.get(), record);
  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "H5Fflush");
  const ssize_t size_bytes = check(H5Fget_file_image(file.get(), nullptr, 0), "H5Fget_file_image");
  std::vector<std::byte> image(checked_cast<std::size_t>(size_bytes));
  check(H5Fget_file_image(file.get(), image.data(), image.size()), "H5Fget_file_image");
  return image;
}

// ---- reading

std::string read_text(hid_t attribute) {
  const Hdf5Handle type = text_type();
  char* text = nullptr;
  check(H5Aread(attribute, type.get(), &text), "H5Aread");
  std::string value = text != nullptr ? text : "";
  check(H5free_memory(text), "H5free_memory");
  return value;
}

Hdf5Handle open_attribute(hid_t object, const char* name) {
  return {H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "H5Aopen"};
}

double read_number(hid_t object, const char* name) {
  double value = 0;
  check(H5Aread(open_attribute(object, name).get(), H5T_NATIVE_DOUBLE, &value), "H5Aread");
  return value;
}

void read_job(hid_t file, JobRecord& record) {
  const Hdf5Handle job(H5Gopen2(file, "job", H5P_DEFAULT), H5Gclose, "H5Gopen2");
  record.wall_s = read_number(job.get(), "wall_s");
  record.startup_s = read_number(job.get(), "startup_s");
  record.start_time_s = read_number(job.get(), "start_time_s");
  H5O_info_t info;
  check(H5Oget_info2(job.get(), &info, H5O_INFO_NUM_ATTRS), "H5Oget_info2");
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    const Hdf5Handle attribute(
        H5Aopen_by_idx(job.get(), ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose, "H5Aopen_by_idx");
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose, "H5Aget_type");
    if (check(H5Tis_variable_str(type.get()), "H5Tis_variable_str") == 0) continue;
    std::string name(
        checked_cast<std::size_t>(check(H5Aget_name(attribute.get(), 0, nullptr), "H5Aget_name")), '\0');
    check(H5Aget_name(attribute.get(), name.size() + 1, name.data()), "H5Aget_name");
    record.job.emplace_back(name, read_text(attribute.get()));
  }
}

/// Columns that the file lacks stay zero. Frees HDF5's strings after `use` has seen the rows; it may take
/// those of a table without text.
template <typename Row, typename Use>
void read_table(hid_t file, const Table& table, const Use& use) {
  const Hdf5Handle dataset(H5Dopen2(file, table.name, H5P_DEFAULT), H5Dclose, "H5Dopen2");
  const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose, "H5Dget_space");
  const hssize_t num_rows = check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints");
  std::vector<Row> rows(checked_cast<std::size_t>(num_rows), Row{});
  if (rows.empty()) return;
  const Hdf5Handle type = row_type(table, Where::memory);
  check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()), "H5Dread");
  use(rows);
  const bool has_text = std::any_of(table.columns.begin(), table.columns.end(),
                                    [](const Column& column) { return column.kind == ColumnKind::text; });
  if (has_text) check(H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, rows.data()), "H5Dvlen_reclaim");
}

std::string text_of(const char* text) {
  return text != nullptr ? text : "";
}

JobRecord read_image(Buffer& image) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
  check(H5Pset_fapl_core(access.get(), std::size_t{1} << 20, false), "H5Pset_fapl_core");
  check(H5Pset_file_image(access.get(), image.data(), image.size()), "H5Pset_file_image");
  const Hdf5Handle file(H5Fopen("record in memory", H5F_ACC_RDONLY, access.get()), H5Fclose, "H5Fopen");
  if (check(H5Aexists(file.get(), "format"), "H5Aexists") == 0 ||
      read_text(open_attribute(file.get(), "format").get()) != format_name) {
    throw Hdf5Failure("another program wrote this HDF5 file");
  }
  if (const double version = read_number(file.get(), "format_version"); version > format_version) {
    throw Hdf5Failure(concat("its format ", version, " is newer than this program"));
  }
  JobRecord record;
  read_job(file.get(), record);
  read_table<PlainRankRow>(file.get(), ranks_table(), [&](const std::vector<PlainRankRow>& rows) {
    for (const PlainRankRow& row : rows) {
      record.ranks.push_back({row.rank, text_of(row.role), text_of(row.host), text_of(row.device),
                              row.num_threads, row.start_s, row.end_s, row.busy_s, row.num_frames,
                              row.peak_memory_bytes, row.cpu_s, row.message_cpu_s, row.bytes_sent,
                              row.bytes_received, row.bytes_between_machines, row.num_encoders});
    }
  });
  read_table<ChunkRow>(file.get(), chunks_table(),
                       [&](std::vector<ChunkRow>& rows) { record.chunks.swap(rows); });
  read_table<FrameRow>(file.get(), frames_table(),
                       [&](std::vector<FrameRow>& rows) { record.frames.swap(rows); });
  read_table<PlainEventRow>(file.get(), events_table(), [&](const std::vector<PlainEventRow>& rows) {
    for (const PlainEventRow& row : rows) {
      record.events.push_back({row.time_s, row.rank, text_of(row.kind), text_of(row.text)});
    }
  });
  return record;
}

}  // namespace

void write_record(const std::filesystem::path& path, const JobRecord& record) {
  silence_hdf5();
  try {
    write_file_once(path, file_image(record));
  } catch (const Hdf5Failure& failure) {
    throw JobError(concat("cannot make the record '", path.string(), "'"), failure.what());
  }
}

JobRecord read_record(const std::filesystem::path& path) {
  silence_hdf5();
  Buffer image = read_file(path);
  const auto not_a_record = [&](const std::string& why) {
    return UsageError(concat("'", path.string(), "' is not a record of a job"), why,
                      "Give the file that 'atelier run --record' wrote");
  };
  if (image.empty()) throw not_a_record("it is empty");
  try {
    return read_image(image);
  } catch (const Hdf5Failure& failure) {
    throw not_a_record(failure.what());
  }
}

std::string library_versions() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  check(H5get_libversion(&major, &minor, &release), "H5get_libversion");
  return concat("HDF5 ", major, ".", minor, ".", release);
}

}  // namespace atelier::io
