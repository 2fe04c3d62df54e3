"""Custom icons: behaviour spec 4.7."""

import os

from plugin_case import PluginCase


class Image(PluginCase):
    def test_images_of_the_hub_are_there_before_on_start(self):
        self.hub.images[101] = (101, "K", "Plugin", "For tests")
        self.begin("def onStart():\n    global seen\n    seen = dict(Images)\n")
        image = self.plugin.seen["K"]
        self.assertEqual((image.ID, image.Base, image.Name), (101, "K", "Plugin"))
        self.assertEqual(image.Description, "For tests")
        self.assertEqual(str(image), "ID: 101, Base: 'K', Name: Plugin, Description: 'For tests'")

    def test_a_created_set_is_in_images_and_the_object_stays_as_it_was(self):
        self.begin()
        self.write("my icons.zip", "K;One;First\nKBlue;Two;Second")
        image = self.domoticz.Image("my icons.zip")
        image.Create()
        self.assertQuiet()
        self.assertEqual(image.ID, -1)
        self.assertEqual([i.ID for i in self.plugin.Images.values()], [101, 102])
        self.assertEqual(self.plugin.Images["KBlue"].Name, "Two")

    def test_what_cannot_be_created_is_told(self):
        self.begin()
        self.domoticz.Image(Filename="none.zip").Create()
        self.assertCoreError("none.zip': [Errno 2]")
        self.write("bad.zip", "K;One;First")
        for refusal, part in (
            ((False, "invalid", "it is no zip file"), "bad.zip': it is no zip file"),
            ((False, "limit", "stored-bytes", 9, 8), "'stored-bytes' is used up (9 of 8)"),
            ((False, "unavailable"), "its own log has the reason"),
        ):
            self.hub.refuse_image = refusal
            self.domoticz.Image("bad.zip").Create()
            self.assertCoreError(part)
        self.assertEqual(self.plugin.Images, {})

    def test_a_large_file_is_not_handed_over(self):
        self.begin()
        self.write("large.zip", "")
        os.truncate(self.folder + "large.zip", (4 << 20) + 1)
        self.domoticz.Image("large.zip").Create()
        self.assertCoreError("more than 4194304 bytes")
        self.assertEqual(self.hub.archives, [])

    def test_a_deleted_set_leaves_images_and_its_object_stays(self):
        self.hub.images[101] = (101, "K", "Plugin", "")
        self.begin()
        image = self.plugin.Images["K"]
        image.Delete()
        self.assertQuiet()
        self.assertEqual((self.plugin.Images, self.hub.images, image.ID), ({}, {}, 101))
        image.Delete()
        self.assertError("'K' was not deleted: there is no such image")
        self.hub.records.clear()
        self.domoticz.Image("x.zip").Delete()
        self.assertError("there is no such image")

    def test_members_are_read_only_and_arguments_are_checked(self):
        self.begin()
        image = self.domoticz.Image("x.zip")
        self.assertEqual(str(image), "ID: -1, Base: '', Name: , Description: ''")
        with self.assertRaisesRegex(AttributeError, "^readonly attribute$"):
            image.Name = "x"
        self.domoticz.Image().Create()
        self.assertCoreError("not associated")
        self.hub.records.clear()
        self.domoticz.Image(5)
        self.assertTrue(self.errors()[0].startswith("Expected Image"))
