# FFmpeg::FFmpeg: the five libraries that atelier uses, as pkg-config finds them.
find_package(PkgConfig REQUIRED)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale libswresample)
if(NOT TARGET FFmpeg::FFmpeg)
  add_library(FFmpeg::FFmpeg ALIAS PkgConfig::FFMPEG)
endif()
set(FFmpeg_FOUND TRUE)
