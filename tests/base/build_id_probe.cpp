// Prints its build id. Built several times by cmake/Tests.cmake, with the same VALUE and with another one.
#include <iostream>

#include "atelier/base/build_id.h"

int main(int argc, char**) {
  const int value = VALUE;
  std::cout << atelier::build_id() << '\n';
  return argc > 1 ? value : 0;
}
