// Short headers in the words of each vendor.
#pragma once

#include <string>

namespace nanoatlas::testing {

inline std::string zeiss_header() {
    return "0\r\n0\r\n0\r\n1.116500e-008\r\nAP_WD\r\nWD = 4.967 mm\r\nAP_ACTUALKV\r\nEHT = 10.00 "
           "kV\r\n"
           "AP_MAG\r\nMag =   10.00 K X\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 11.16 nm\r\n"
           "AP_PIXEL_SIZE\r\nPixel Size = 22.32 nm\r\nDP_IMAGE_STORE\r\nStore resolution = 1024 * "
           "768\r\n"
           "DP_DETECTOR_CHANNEL\r\nSignal A = InLens\r\nDP_SEM\r\nSem = Auriga 60\r\n"
           "AP_APERTURESIZE\r\nAperture Size = 30.00 \u00b5m\r\nAP_STAGE_AT_T\r\nStage at T =  "
           "90.0 \u00b0\r\n"
           "AP_SYSTEM_VAC\r\nSystem Vacuum = 5.73e-006 mbar\r\nAP_IPROBE\r\nI Probe =  690 pA\r\n"
           "AP_TIME\r\nTime :11:18:36\r\nAP_DATE\r\nDate :9 Dec 2019\r\n";
}

inline std::string fei_header() {
    return "[User]\r\nDate=02/13/2020\r\nTime=08:05:58 PM\r\nUser=UserVersa\r\n\r\n[System]\r\n"
           "SystemType=Versa "
           "3D\r\nDnumber=9920844\r\nDisplayWidth=0.518\r\n\r\n[Beam]\r\nHV=5000\r\n"
           "Beam=EBeam\r\nScan=EScan\r\n\r\n[EBeam]\r\nHV=5000\r\nWD=0.0133921\r\nHFW=1.72667e-"
           "005\r\n\r\n"
           "[EScan]\r\nDwell=3e-005\r\nPixelWidth=1.12413e-008\r\nHorFieldsize=1.72667e-005\r\n\r\n"
           "[Image]\r\nResolutionX=1536\r\nResolutionY=1024\r\nMagCanvasRealWidth=0.20720\r\n\r\n"
           "[Detectors]\r\nNumber=1\r\nName=ETD\r\n\r\n[PrivateFei]\r\n"
           "TimeOfCreation=13.02.2020 20:05:58\r\nDatabarHeight=79\r\n";
}

inline std::string sec_sidecar() {
    return "\xEF\xBB\xBF[Image Info]\r\nModel : SNE-4500M Plus\r\nDate : 2019-09-02 \uc624\uc804 "
           "12:09:36\r\n"
           "Time : 00:09:36.5699240\r\nAcceleated Voltage :  20 kV\r\nMagnification : x500 \r\n"
           "Detector Mode : SED\r\n[   - Working Distance]\r\nDefault Working Distance : 0mm\r\n"
           "Working Distance : 5mm\r\n[Active Scan]\r\nPixel Size : 0.7\r\n";
}

inline std::string tescan_sidecar() {
    return "[MAIN]\nDate=2024-02-07\nTime=10:20:30\nDevice=TESCAN SOLARIS X\nMagnification=2500\n"
           "PixelSizeX=0.00000005\n\n[SEM]\nAcceleratorVoltage=5000.0\nWD=0.006\nDetector=SE\n";
}

inline std::string hitachi_sidecar() {
    return "[SemImageFile]\r\nInstructName=SU8000\r\nDataSize=1280x960\r\nPixelSize=49.60938\r\n"
           "SignalName=SE(U)\r\nAcceleratingVoltage=15000 Volt\r\nMagnification=2000\r\n"
           "WorkingDistance=8400 um\r\n";
}

inline std::string fibics_header() {
    return "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><Fibics version=\"1.0\"><Application>"
           "<Version>AtlasEngine "
           "v5.0</Version><Date>2017-04-20T11:52:36.078+02:00</Date></Application>"
           "<Image><Width>1000</Width><Machine>INT-AURIGA</Machine>"
           "<Aperture>[1] 30 \u00b5m [HC] (5.0 kV)</Aperture><Detector>InLens</Detector></Image>"
           "<Scan><Dwell units=\"ns\">1000</Dwell><FOV_X "
           "units=\"um\">45</FOV_X><Focus>0.005</Focus></Scan>"
           "<Stage><Tilt units=\"deg\">90</Tilt></Stage></Fibics>";
}

}  // namespace nanoatlas::testing
