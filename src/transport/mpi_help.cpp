#include "mpi_help.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "atelier/base/log.h"
#include "atelier/base/text.h"

namespace atelier::transport {
namespace {

using ShowHelp = int (*)(const char* file, const char* topic, int with_header, ...);

int log_help(const char* file, const char* topic, int, ...) {
  log::to_file(concat("Open MPI: ", topic != nullptr ? topic : "?", " (", file != nullptr ? file : "?", ")"));
  return 0;
}

}  // namespace

void keep_open_mpi_help_here() {
  // Open MPI 4 has a variable of this name, version 5 a function.
  void* const symbol = dlsym(RTLD_DEFAULT, "opal_show_help");
  if (symbol == nullptr) return;
  Dl_info info{};
  void* found = nullptr;
  if (dladdr1(symbol, &info, &found, RTLD_DL_SYMENT) == 0 || found == nullptr) return;
  const auto* entry = static_cast<const ElfW(Sym)*>(found);
  if (ELF64_ST_TYPE(entry->st_info) != STT_OBJECT || entry->st_size != sizeof(ShowHelp)) return;
  *static_cast<ShowHelp*>(symbol) = log_help;
}

}  // namespace atelier::transport
